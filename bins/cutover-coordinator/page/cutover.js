// The cutover: what is left and has to be confirmed before, and how far it is while it runs.

import { order } from "./api.js";
import { bytesText, counted, countText, msText } from "./amounts.js";
import { byId, element, facts, setClass, setContent, setText, show } from "./element.js";
import { isCutover } from "./phases.js";
import { showRefusal } from "./problems.js";
import { evidence } from "./silence.js";
import { hasBegun } from "./standing.js";

const dialog = byId("cutover-dialog");
let latest = null;
let isFresh = false;
let isAsked = false;

export function openCutover() {
  byId("cutover-stopped").checked = false;
  byId("cutover-block").checked = false;
  byId("cutover-without").checked = false;
  showRefusal(byId("cutover-refused"), null);
  draw();
  dialog.showModal();
}

/** `fresh` is false while the coordinator does not answer: then nothing can be confirmed by what is shown. */
export function showCutover(status, fresh) {
  latest = status;
  isFresh = fresh;
  if (dialog.open && isCutover(status.phase)) dialog.close();
  if (dialog.open) draw();
  showUnderWay(status);
}

const missing = () => latest.indexes.filter((index) => index.state === "failed");

function draw() {
  const ahead = latest.verifiedAhead;
  const waiting = latest.indexes.filter((index) => index.state === "deferred").length;
  const lag = latest.gapClosed ? "nothing" : `${msText(latest.lag?.totalMs ?? 0)} behind`;
  setContent(
    byId("cutover-left"),
    ...facts([
      ["To apply", latest.lag === null ? "unknown" : lag],
      ["To compare", hasBegun(ahead) ? bytesText(ahead.bytesAtCutover) : "everything"],
      ["To look at again", ahead?.suspects > 0 ? counted(ahead.suspects, "document") : null],
      ["Different", ahead?.differingCount > 0 ? `${counted(ahead.differingCount, "document")}: this stops the cutover` : null, "bad-text"],
      ["Indexes to build", waiting > 0 ? countText(waiting) : null],
    ]),
  );
  showPredicted(latest);
  const { isSilent, text } = evidence(latest);
  setText(byId("cutover-writes"), text);
  setClass(byId("cutover-writes"), isSilent ? "evidence good-text" : "evidence warn-text");
  show(byId("cutover-missing"), missing().length > 0);
  setContent(byId("cutover-missing-list"), ...missing().map(missingIndex));
  enable();
}

/** Of the parts those that are worth a word. */
function showPredicted({ predictedDowntimeMs: predicted, predictedParts: parts }) {
  const isKnown = (predicted ?? null) !== null;
  show(byId("cutover-predicted"), isKnown);
  if (isKnown) setText(byId("cutover-predicted"), `The write downtime is predicted to be about ${msText(predicted)}:`);
  const told = isKnown ? parts.filter(({ ms }) => ms * 20 >= predicted).slice(0, 5) : [];
  setContent(byId("cutover-parts"), ...told.map(({ what, ms }) => element("li", {}, `${what}: ${msText(ms)}`)));
}

const missingIndex = ({ namespace, name, reason }) =>
  element("li", {}, element("strong", {}, name), ` of ${namespace}: ${reason ?? "for an unknown reason"}`);

function enable() {
  const isSilent = byId("cutover-stopped").checked || byId("cutover-block").checked;
  const isConfirmed = isSilent && (missing().length === 0 || byId("cutover-without").checked);
  byId("cutover-go").disabled = !(isConfirmed && isFresh && latest.canCommit && !isAsked);
}

async function go() {
  isAsked = true;
  enable();
  try {
    await order("commit", { acceptMissingIndexes: byId("cutover-without").checked, blockWrites: byId("cutover-block").checked });
    dialog.close();
  } catch (error) {
    showRefusal(byId("cutover-refused"), error);
  }
  isAsked = false;
  enable();
}

byId("cutover-stopped").addEventListener("change", enable);
byId("cutover-block").addEventListener("change", enable);
byId("cutover-without").addEventListener("change", enable);
byId("cutover-go").addEventListener("click", go);

function showUnderWay(status) {
  show(byId("cutting"), isCutover(status.phase));
  if (!isCutover(status.phase)) return;
  const begun = status.phases.findLastIndex((stay) => stay.phase === "draining");
  const took = status.phases.slice(begun).reduce((sum, stay) => sum + stay.durationMs, 0);
  setContent(
    byId("cutting"),
    element("h2", {}, "Cutover"),
    element("p", { class: "figure" }, msText(took)),
    element("p", { class: "quiet" }, "since writes were said to have stopped"),
    element(
      "dl",
      { class: "facts" },
      ...facts([
        ["Predicted", (status.predictedDowntimeMs ?? null) === null ? null : msText(status.predictedDowntimeMs)],
        ["Left to apply", status.gapClosed ? "nothing" : msText(status.lag?.totalMs ?? 0)],
        ["Compared", counted(status.verifiedDocuments, "document")],
        ["Can be taken back", status.phase === "finalizing" ? "no" : "yes, by Cancel or by itself"],
      ]),
    ),
  );
}
