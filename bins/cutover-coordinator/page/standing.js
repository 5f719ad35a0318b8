// What stands beside the copy: oplog and bus, what was verified ahead, processes.

import { bytesText, counted, countText, msText, percent } from "./amounts.js";
import { byId, element, facts, setContent } from "./element.js";

const SILENT_MS = 5000;

export function showStanding(status) {
  setContent(byId("oplog"), element("dl", { class: "facts" }, ...facts(oplog(status))));
  setContent(byId("ahead"), ...ahead(status.verifiedAhead));
  setContent(byId("processes"), ...processes(status.copiers));
}

function oplog(status) {
  const window = status.oplogWindowSeconds;
  const left = status.oplogHeadroomSeconds;
  return [
    ["Captured", counted(status.entriesCaptured, "entry")],
    ["Applied", counted(status.changesApplied, "change")],
    ["Kept on the bus", bytesText(status.busBytes)],
    ["The bus takes at most", status.busLimitBytes === null ? null : bytesText(status.busLimitBytes)],
    ["Source’s oplog holds", window === null ? null : msText(window * 1000)],
    ["Capture may be away for", left === null ? null : `at least ${msText(left * 1000)}`],
  ];
}

/** A record without collections says nothing of what is left. */
export const hasBegun = (view) => view !== null && view.collectionsTotal + view.collectionsAtCutover > 0;

function ahead(view) {
  if (!hasBegun(view)) return [element("p", { class: "quiet" }, "Not begun yet; it is done while the migration is ready.")];
  const done = percent(view.bytes, view.bytesTotal);
  const only = view.collectionsAtCutover;
  return [
    element("progress", { max: 100, value: done, "aria-label": "Verified ahead" }),
    element(
      "dl",
      { class: "facts" },
      ...facts([
        ["Compared", `${bytesText(view.bytes)} of ${bytesText(view.bytesTotal)}`],
        ["Collections", `${countText(view.collections)} of ${countText(view.collectionsTotal)}`],
        ["Compared again", counted(view.comparedAgain, "changed document")],
        ["Left for the cutover", bytesText(view.bytesAtCutover)],
        ["Only at the cutover", only > 0 ? counted(only, "collection") : null],
        ["To be looked at again", view.suspects > 0 ? counted(view.suspects, "document") : null],
        ["Writes by others", view.foreignWrites > 0 ? countText(view.foreignWrites) : null, "warn-text"],
        ["Different", view.differingCount > 0 ? counted(view.differingCount, "document") : null, "bad-text"],
      ]),
    ),
    differences(view.differing, view.differingCount),
  ];
}

/** Documents that differ, by name; the first of `count`. */
export function differences(list, count) {
  if (list.length === 0) return null;
  const untold = count - list.length;
  return element(
    "ul",
    { class: "plain differences" },
    ...list.map(({ namespace, item, detail }) =>
      element("li", {}, element("strong", {}, namespace), item === null ? "" : ` ${item}`, `: ${detail}`),
    ),
    untold > 0 ? element("li", { class: "quiet" }, `and ${countText(untold)} more`) : null,
  );
}

function processes(all) {
  if (all.length === 0) return [element("p", { class: "warn-text" }, "None gave a sign of life.")];
  const row = ({ instance, host, pid, active, activity, seenMsAgo }) => {
    const isSilent = seenMsAgo > SILENT_MS;
    const state = isSilent ? "silent" : active ? "active" : "standing by";
    const tone = isSilent ? "failed" : active ? "built" : "waiting";
    const silence = isSilent ? `no sign of life for ${msText(seenMsAgo)} · ` : "";
    return element(
      "li",
      { class: "row" },
      element("span", { class: "row-name" }, instance),
      element("span", { class: `row-figure badge ${tone}` }, state),
      element("span", { class: "row-detail" }, `${silence}${activity} · ${host}, pid ${pid}`),
    );
  };
  return [element("ul", { class: "rows" }, ...all.map(row))];
}
