"""Plausibility of declared PV projects: impossible, improbable or fine, with the physics; nothing is ever corrected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from rooftop.core.lang import Text
from rooftop.core.rounding import number, percent
from rooftop.inputs.audit_limits import AuditLimits, AuditPlace
from rooftop.inputs.declared import Project
from rooftop.targets.audit_places import place_named
from rooftop.targets.coverage_rules import coverage_rules
from rooftop.targets.models import Pack

AuditVerdict = Literal["impossible", "improbable", "fine", "unjudged"]
ORDER: tuple[AuditVerdict, ...] = ("impossible", "improbable", "fine", "unjudged")
VERDICTS: dict[AuditVerdict, Text] = {
    "impossible": Text("impossible", "不可能"),
    "improbable": Text("improbable", "存疑"),
    "fine": Text("fine", "合理"),
    "unjudged": Text("cannot be judged", "无法判断"),
}


@dataclass(frozen=True)
class Check:
    """One comparison with physics.

    Parameters
    ----------
    code : {"power", "module", "fit", "sunlight", "hours", "year"}
    verdict : AuditVerdict
    text : Text
        The numbers and the limit, one line.
    """

    code: str
    verdict: AuditVerdict
    text: Text


@dataclass(frozen=True)
class AuditResult:
    """A declared project and what was found; the declaration stays as it is.

    Parameters
    ----------
    project : Project
    place : AuditPlace
        Whose sunlight was taken.
    verdict : AuditVerdict
        The worst of the checks.
    checks : tuple of Check
        Worst first; empty where nothing can be judged.
    missing : Text or None
        What is not declared or not readable, and is therefore not judged.
    """

    project: Project
    place: AuditPlace
    verdict: AuditVerdict
    checks: tuple[Check, ...]
    missing: Text | None


def claims_of(pack: Pack) -> tuple[Project, ...]:
    """Return the projects a plan declares, as written."""
    return tuple(
        Project(
            row=k + 1,
            name=claim.name,
            area_m2=claim.roof_area_m2,
            capacity_kw=claim.capacity_kw,
            annual_kwh=None if claim.annual_mwh is None else claim.annual_mwh * 1000.0,
        )
        for k, claim in enumerate(pack.claims)
    )


def audit(
    projects: Iterable[Project], limits: AuditLimits, this_year: int, place: AuditPlace | None = None
) -> tuple[AuditResult, ...]:
    """Judge declared projects.

    Sunlight enters with the bound that favours the project: what is called impossible is so under every value of it.

    Parameters
    ----------
    projects : iterable of Project
    limits : AuditLimits
    this_year : int
        Later years lie in the future.
    place : AuditPlace, optional
        Of all projects; found from each one's district when left out.

    Returns
    -------
    tuple of AuditResult
        One per project, in their order.
    """
    return tuple(_audit_project(p, limits, place or place_named(p.district, limits), this_year) for p in projects)


def _audit_project(project: Project, limits: AuditLimits, place: AuditPlace, this_year: int) -> AuditResult:
    results = [
        *_power(project, limits),
        *_module(project, limits),
        *_sunlight(project, limits, place),
        *_hours(project, limits, place),
    ]
    physics = bool(results)
    results += _year(project, limits, this_year)
    checks = tuple(sorted(results, key=lambda check: ORDER.index(check.verdict)))
    worst = checks[0].verdict if checks else "unjudged"
    # A believable year alone says nothing about the project.
    verdict: AuditVerdict = "unjudged" if worst == "fine" and not physics else worst
    return AuditResult(project, place, verdict, checks, _missing(project))


def _grade(value: float, impossible: float, improbable: float) -> AuditVerdict:
    if value > impossible:
        return "impossible"
    return "improbable" if value > improbable else "fine"


def _missing(project: Project) -> Text | None:
    unread = {key: text for key, text in project.unread}
    parts = []
    for key, value, name in (
        ("area", project.area_m2, Text("roof area", "屋顶面积")),
        ("capacity", project.capacity_kw, Text("capacity", "装机容量")),
        ("energy", project.annual_kwh, Text("annual energy", "年发电量")),
    ):
        if value is None:
            parts.append(_with_wording(name, unread.get(key)))
    for key, name in (("module_area", Text("module area", "组件面积")), ("year", Text("year", "年份"))):
        if key in unread:
            parts.append(_with_wording(name, unread[key]))
    if not parts:
        return None
    return Text("not declared or not readable: ", "未申报或无法识别：") + Text.join(parts)


def _with_wording(name: Text, wording: str | None) -> Text:
    return name if wording is None else Text("{name} ({said})", "{name}（{said}）").format(name=name, said=wording)


def modules_needed_m2(capacity_kw: float) -> float:
    """Return the module area a capacity needs, by `existing_pv` of `configs/coverage.yaml`."""
    return capacity_kw * 1000.0 / coverage_rules().existing_pv.w_per_m2


def _power(project: Project, limits: AuditLimits) -> Iterator[Check]:
    """Installed power per m² of roof against sunlight and efficiency."""
    if project.area_m2 is None or project.capacity_kw is None:
        return
    density = project.capacity_kw * 1000.0 / project.area_m2
    most, dense = limits.roof_w_per_m2_max, limits.dense_w_per_m2.of(project.roof_type)
    verdict = _grade(density, most, dense)
    w, sun = number(density), number(limits.sunlight_w_m2.value, 4)
    need = number(modules_needed_m2(project.capacity_kw), 2)
    kw, roof = number(project.capacity_kw), number(project.area_m2)
    needs = Text(
        f"{kw} kW need about {need} m² of module, the roof has {roof} m²",
        f"{kw} kW 约需组件 {need} ㎡，申报屋顶 {roof} ㎡",
    )
    if verdict == "impossible":
        best, limit = percent(limits.module.efficiency_max.value), number(most)
        more = density > limits.sunlight_w_m2.value
        yield Check(
            "power",
            verdict,
            Text(
                f"{w} W per m² of roof{', more than the sunlight itself' if more else ''}: full sun brings {sun} W/m², "
                f"no module turns more than {best} of it into power (at most {limit} W per m² of the steepest roof); ",
                f"每㎡屋顶 {w} W{'，超过阳光本身' if more else ''}：晴天正午阳光约 {sun} W/㎡，"
                f"组件效率不超过 {best}（最陡坡面也至多 {limit} W/㎡）；",
            )
            + needs,
        )
    elif verdict == "improbable":
        yield Check(
            "power",
            verdict,
            Text(
                f"{w} W per m² of roof; wholly covered, such a roof carries about {number(dense)} W/m²; ",
                f"每㎡屋顶 {w} W，同类屋面铺满也仅约 {number(dense)} W/㎡；",
            )
            + needs,
        )
    else:
        yield Check("power", verdict, Text(f"{w} W per m² of roof", f"每㎡屋顶 {w} W"))


def _module(project: Project, limits: AuditLimits) -> Iterator[Check]:
    """Power per m² of module, and whether the modules fit on the roof."""
    if project.module_area_m2 is None:
        return
    face, module = project.module_area_m2, limits.module
    if project.capacity_kw is not None:
        sun = limits.sunlight_w_m2.value
        share = project.capacity_kw * 1000.0 / (face * sun)
        verdict = _grade(share, module.efficiency_max.value, module.efficiency_high.value)
        if share < module.efficiency_low.value:
            verdict = "improbable"
        usual = f"{percent(module.efficiency_low.value)}–{percent(module.efficiency_high.value)}"
        yield Check(
            "module",
            verdict,
            Text(
                f"{number(share * sun)} W per m² of module, an efficiency of {percent(share)} (made: {usual}, "
                f"best ever {percent(module.efficiency_max.value)})",
                f"每㎡组件 {number(share * sun)} W，即效率 {percent(share)}（在售 {usual}，最高纪录约 "
                f"{percent(module.efficiency_max.value)}）",
            ),
        )
    if project.area_m2 is not None:
        ratio = face / project.area_m2
        yield Check(
            "fit",
            _grade(ratio, limits.face_per_roof_max.value, 1.0),
            Text(
                f"{number(face)} m² of module on {number(project.area_m2)} m² of roof",
                f"组件 {number(face)} ㎡，屋顶 {number(project.area_m2)} ㎡",
            ),
        )


def _sunlight(project: Project, limits: AuditLimits, place: AuditPlace) -> Iterator[Check]:
    """Annual energy per m² of roof against all sunlight on it."""
    if project.area_m2 is None or project.annual_kwh is None:
        return
    low, central, high = place.ghi
    yearly = project.annual_kwh / project.area_m2
    share = limits.sunlight_share
    verdict = _grade(yearly / high, share.max.value, share.high.value)
    if central is None:
        part = Text(f"at least {percent(yearly / high)}", f"至少 {percent(yearly / high)}")
        of = Text(f"{number(low)}–{number(high)}", f"{number(low)}–{number(high)}")
    else:
        one, span = percent(yearly / central), f"{percent(yearly / high)}–{percent(yearly / low)}"
        part = Text(one, one) if low == high else Text(f"{one} ({span})", f"{one}（{span}）")
        of = Text(number(central), number(central))
        if low != high:
            around = f"{number(low)}–{number(high)}"
            of = Text("{of}, {around}", "{of}（{around}）").format(of=of, around=around)
    text = Text(
        "{yearly} kWh per m² of roof and year, {part} of all sunlight (GHI {of} kWh/m², {place})",
        "每㎡屋顶每年 {yearly} kWh，占全部阳光的 {part}，{place}水平面年总辐照 {of} kWh/㎡",
    ).format(yearly=number(yearly), part=part, of=of, place=place.text)
    if verdict == "impossible":
        most = percent(share.max.value)
        text += Text(f"; PV cannot turn more than {most} into electricity", f"；光伏至多能转换 {most}")
    elif verdict == "improbable":
        best = percent(share.high.value)
        text += Text(f"; a wholly covered roof gives {best} at best", f"；屋顶铺满也至多约 {best}")
    yield Check("sunlight", verdict, text)


def _hours(project: Project, limits: AuditLimits, place: AuditPlace) -> Iterator[Check]:
    """Full-load hours against what the place allows."""
    if project.capacity_kw is None or project.annual_kwh is None:
        return
    low, central, high = place.ghi
    hours, share = project.annual_kwh / project.capacity_kw, limits.hours_per_ghi
    verdict = _grade(hours, share.max.value * high, share.high.value * high)
    if hours < share.low.value * low:
        verdict = "improbable"
    # Rounded inwards: what is improbable never lies inside the band that is printed.
    band = f"{number(share.low.value * low, 2, 'up')}–{number(share.high.value * high, 2, 'down')}"
    text = Text(f"{number(hours)} full-load hours", f"年利用小时数 {number(hours)} h")
    if central is not None:
        usual = number(share.typical.value * central, 2)
        location = Text("here", "当地") if place.id == "given" else Text("in ", "") + place.text
        text += Text(", usual {here} about {usual}", "，{here}通常约 {usual} h").format(here=location, usual=usual)
    if verdict == "impossible":
        most = number(share.max.value * high)
        text += Text(f": more than {most} h cannot be had from that sunlight", f"：该辐照条件下不可能超过 {most} h")
    elif verdict == "improbable":
        text += Text(f" (believable: {band} h)", f"（可信范围 {band} h）")
    yield Check("hours", verdict, text)


def _year(project: Project, limits: AuditLimits, this_year: int) -> Iterator[Check]:
    """Years in the future, or before there was PV."""
    year = project.year
    if year is None:
        return
    cell, roofs = int(limits.years.first_cell.value), int(limits.years.first_roofs.value)
    if year < cell:
        yield Check(
            "year",
            "impossible",
            Text(f"{year}: the first solar cell is of {cell}", f"{year} 年：首块太阳电池问世于 {cell} 年"),
        )
    elif year < roofs:
        text = Text(
            f"{year}: hardly any rooftop PV in China before {roofs}", f"{year} 年：国内 {roofs} 年以前几乎没有屋顶光伏"
        )
        yield Check("year", "improbable", text)
    elif year > this_year:
        text = Text(f"{year} lies in the future: a plan, not a plant", f"{year} 年尚未到来：属计划，非已建")
        yield Check("year", "improbable", text)
    else:
        yield Check("year", "fine", Text(f"{year}", f"{year} 年"))


def counts(audited: Iterable[AuditResult]) -> dict[AuditVerdict, int]:
    """Count the verdicts, worst first."""
    verdicts = [item.verdict for item in audited]
    return {verdict: verdicts.count(verdict) for verdict in ORDER}


def declared_text(project: Project) -> Text:
    """Return what a project declares, as written but for the units."""

    def plain(value: float) -> str:
        return f"{value:,.10g}"

    parts = []
    if project.area_m2 is not None:
        parts.append(Text(f"{plain(project.area_m2)} m² of roof", f"屋顶 {plain(project.area_m2)} ㎡"))
    if project.capacity_kw is not None:
        parts.append(Text(f"{plain(project.capacity_kw)} kW", f"{plain(project.capacity_kw)} kW"))
    if project.annual_kwh is not None:
        mwh = project.annual_kwh / 1000.0
        parts.append(Text(f"{plain(mwh)} MWh a year", f"{plain(mwh / 10.0)} 万kWh/年"))
    if project.module_area_m2 is not None:
        parts.append(Text(f"{plain(project.module_area_m2)} m² of module", f"组件 {plain(project.module_area_m2)} ㎡"))
    if project.year is not None:
        parts.append(Text(f"{project.year}", f"{project.year} 年"))
    return Text.join(parts, ", ", "，")
