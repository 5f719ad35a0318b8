// The beginning, where the migration waits for somebody: validate, look at what was found, start.

import { ApiError, order, validations } from "./api.js";
import { counted } from "./amounts.js";
import { showChecks } from "./checks.js";
import { byId, setClass, setText, show } from "./element.js";
import { showRefusal } from "./problems.js";

/** The last validation that was asked for; undefined while that is not known. */
let job;
let isFresh = false;
let isAsked = false;

/** To be asked while nothing has begun; somebody else may have had it validated. */
export async function noteValidation() {
  const before = job;
  job = (await validations()).validations.at(-1) ?? null;
  if (job?.state !== "done" || (before?.id === job.id && before.state === "done")) return;
  showChecks(job.report);
  byId("checks").open = true;
  byId("beginning-read").checked = false;
}

export function showBeginning(status, fresh) {
  isFresh = fresh;
  show(byId("beginning"), status.phase === "created");
  if (status.phase === "created") draw();
}

const found = (severity) => (job?.report?.findings ?? []).filter((finding) => finding.severity === severity).length;
const isUnderWay = () => job?.state === "requested" || job?.state === "running";

function draw() {
  const mayStart = job?.state === "done" && found("error") === 0;
  setText(byId("beginning-told"), told());
  show(byId("beginning-warned"), mayStart && found("warning") > 0);
  setText(byId("validate"), isUnderWay() ? "Validating…" : job?.state === "done" ? "Validate again" : "Validate");
  setClass(byId("validate"), mayStart ? "" : "primary");
  setClass(byId("start"), mayStart ? "primary" : "");
  byId("validate").disabled = !isFresh || isUnderWay() || isAsked;
  byId("start").disabled = !(isFresh && mayStart && !isAsked && (found("warning") === 0 || byId("beginning-read").checked));
}

function told() {
  if (isUnderWay()) return "Both clusters and the bus are being looked at. Nothing is written to them.";
  if (job?.state !== "done") return "First have both clusters validated: it takes seconds, writes nothing, and tells what would go wrong.";
  if (found("error") > 0) return `${counted(found("error"), "error")} in the way. Mend what is named below, then validate again.`;
  const warnings = found("warning") === 0 ? "" : `, with ${counted(found("warning"), "warning")}`;
  return `Nothing stands in the way${warnings}. Look at what was found below; from Start on, the destination is written to, and the source only read.`;
}

async function give(call) {
  isAsked = true;
  draw();
  showRefusal(byId("beginning-refused"), null);
  try {
    await order(call);
    await noteValidation();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showRefusal(byId("beginning-refused"), error);
  }
  isAsked = false;
  draw();
}

byId("validate").addEventListener("click", () => give("validations"));
byId("start").addEventListener("click", () => give("start"));
byId("beginning-read").addEventListener("change", draw);
