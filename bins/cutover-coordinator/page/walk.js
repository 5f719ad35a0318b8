// Where the migration stands on its way, and how long each step took.

import { msText } from "./amounts.js";
import { byId, element, setContent } from "./element.js";
import { STEPS, stepOf } from "./phases.js";

export function showWalk(status) {
  const current = stepOf(status);
  setContent(byId("walk"), ...STEPS.map((step, index) => walkStep(step, index - current, status)));
}

function walkStep(step, distance, status) {
  const spent = status.phases.filter((stay) => step.phases.includes(stay.phase));
  const ms = spent.reduce((sum, stay) => sum + stay.durationMs, 0);
  const isEnd = step.name === "Committed";
  const state = distance < 0 || (isEnd && distance === 0) ? "done" : distance > 0 ? "ahead" : currentState(status.phase);
  const word = { done: "done", ahead: "not yet", now: "now" }[state] ?? state;
  return element(
    "li",
    { class: `step ${state}${step.isCutover ? " of-cutover" : ""}`, "aria-current": distance === 0 ? "step" : null },
    element("span", { class: "step-name" }, step.name),
    element("span", { class: "unseen" }, `: ${word}`),
    element("span", { class: "step-time" }, spent.length === 0 || isEnd || state === "ahead" ? "" : msText(ms)),
  );
}

const currentState = (phase) => (["paused", "failed", "cancelled", "rehearsed", "expired"].includes(phase) ? phase : "now");
