// The report at the end. The coordinator ends soon after the migration, so the page asks for it in time and keeps it.

import { bytesText, counted, countText, msText } from "./amounts.js";
import { byId, element, facts, setContent, show } from "./element.js";
import { differences } from "./standing.js";

export function showReport(report) {
  show(byId("report"), report !== null);
  if (report === null) return;
  setContent(
    byId("report"),
    element("h2", {}, "Report"),
    ...headline(report),
    element("dl", { class: "facts wide" }, ...facts(numbers(report))),
    element("h3", {}, "Verification"),
    element("p", { class: report.verification === "equal" ? "good-text" : "" }, verdict(report)),
    differences(report.differences, report.differenceCount),
    ...list("Indexes", report.indexes.filter((index) => index.reason !== null).map((index) => `${index.name} of ${index.namespace}: ${index.reason}`)),
    ...list("Done at the cutover", report.finalization),
    ...list("Survived", survived(report)),
    ...list("Next steps", report.nextSteps),
    download(report),
  );
}

function headline(report) {
  if (report.writeDowntimeMs === null) return [];
  return [
    element("p", { class: "figure good" }, msText(report.writeDowntimeMs)),
    element("p", { class: "quiet" }, "write downtime: from your word that writes had stopped until the destination could be written to"),
  ];
}

const numbers = (report) => [
  ["Predicted downtime", (report.predictedDowntimeMs ?? null) === null ? null : msText(report.predictedDowntimeMs)],
  ["Took", msText(report.finishedAtMs - report.startedAtMs)],
  ["Collections", countText(report.collections)],
  ["Documents copied", countText(report.documentsCopied)],
  ["Data copied", bytesText(report.bytesCopied)],
  ["Copied again", counted(report.repeatedDocuments, "document")],
  ["Index builds asked for again", countText(report.repeatedIndexBuilds)],
  ["Changes read again", countText(report.repeatedChanges)],
  ["Catalog changes done again", countText(report.repeatedCatalogChanges)],
  ["Oplog entries captured", countText(report.entriesCaptured)],
  ["Changes applied", countText(report.changesApplied)],
  ["mongoferry", report.mongoferryVersion],
];

/** Only what did not go smoothly. */
function survived(report) {
  const ofRole = (role) => {
    const failed = Object.entries(role.failed).map(([code, count]) => `${countText(count)} ended with ${code}`);
    return [
      role.processes === 1 ? counted(role.starts, "start") : `${counted(role.starts, "start")} of ${role.processes} processes`,
      role.abruptEnds > 0 ? `${countText(role.abruptEnds)} ended without a word` : "",
      ...failed,
      role.takeovers > 0 ? counted(role.takeovers, "takeover") : "",
    ].filter((part) => part !== "");
  };
  const roles = report.processes.filter((role) => role.starts > role.processes || role.takeovers > 0);
  const outages = report.outages.map((outage) => `${outage.party} not reached for ${msText(outage.untilMs - outage.sinceMs)}`);
  return [...roles.map((role) => `${role.role}: ${ofRole(role).join("; ")}`), ...outages];
}

function verdict(report) {
  const { verifiedDocuments, verifiedBytes, verifiedCollections } = report;
  switch (report.verification) {
    case "equal":
      return `Equal: ${counted(verifiedDocuments, "document")} of ${bytesText(verifiedBytes)} in ${counted(verifiedCollections, "collection")} were compared byte for byte, and all indexes, options and views.`;
    case "different":
      return `Different: ${counted(report.differenceCount, "difference")}.`;
    case "skipped":
      return "Skipped, as asked for: nothing proves that both sides are equal.";
    default:
      return `Equality was ${report.verification}.`;
  }
}

function list(title, lines) {
  if (lines.length === 0) return [];
  return [element("h3", {}, title), element("ul", { class: "plain" }, ...lines.map((line) => element("li", {}, line)))];
}

/** The coordinator may be gone by the time of the click, so the link carries the report itself. */
function download(report) {
  const href = `data:application/json,${encodeURIComponent(JSON.stringify(report, null, 2))}`;
  const link = element("a", { href, download: `mongoferry-${report.id}-report.json` }, "Save as JSON");
  return element("p", { class: "quiet keep" }, link, "; the state directory keeps it too, as report.json and report.md.");
}
