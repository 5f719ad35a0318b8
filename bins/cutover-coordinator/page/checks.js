// What was checked before the migration began: what was found, and what was worth a warning.

import { bytesText, counted, countText, msText } from "./amounts.js";
import { byId, element, facts, setContent, show } from "./element.js";
import { problem } from "./problems.js";

/** A report of the validator; looked at before the start, and folded away later. */
export function showChecks(report) {
  const having = (severity) => report.findings.filter((finding) => finding.severity === severity);
  const [errors, warnings, passed] = [having("error"), having("warning"), having("info")];
  show(byId("checks"), true);
  setContent(
    byId("checks"),
    element("summary", {}, element("h2", {}, "Checks"), ` ${counted(passed.length, "check")} passed, ${counted(warnings.length, "warning")}, ${counted(errors.length, "error")}`),
    element("dl", { class: "facts wide" }, ...facts(review(report))),
    ...errors.map((finding) => told("bad", "Error", finding)),
    ...warnings.map((finding) => told("warn", "Warning", finding)),
    element("ul", { class: "plain" }, ...passed.map(({ code, check, found }) => element("li", {}, element("code", {}, code), ` ${check}: ${found}`))),
  );
}

const told = (tone, word, { code, check, found, reason, remedy }) =>
  problem(tone, word, { code, message: `${check}: ${found}`, causes: reason === "" ? [] : [reason], hint: remedy });

function review({ collections, documents, bytes, indexes, inventory, to_drop: toDrop }) {
  const estimates = inventory?.estimates;
  const size = (amount) => ((amount ?? null) === null ? null : bytesText(amount));
  return [
    ["Documents", countText(documents)],
    ["Collections", countText(collections)],
    ["Data", bytesText(bytes)],
    ["Indexes", countText(indexes)],
    ["Copy, at a cautious rate", estimates === undefined ? null : `about ${msText(estimates.copy_seconds * 1000)}`],
    ["Disk at the destination", size(estimates?.destination_disk_bytes)],
    ["Disk for the bus", size(estimates?.bus_disk_bytes)],
    ["Dropped before", toDrop.length > 0 ? counted(toDrop.length, "collection") : null],
  ];
}
