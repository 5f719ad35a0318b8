// The phases: what each is called, what happens in it, and what the operator does.

/** In order, as steps of the walk-through. */
export const STEPS = [
  { name: "Check", phases: ["created", "validating"] },
  { name: "Start", phases: ["starting"] },
  { name: "Copy", phases: ["copying"] },
  { name: "Catch up", phases: ["catching-up"] },
  { name: "Ready", phases: ["ready"] },
  { name: "Drain", phases: ["draining"], isCutover: true },
  { name: "Compare", phases: ["verifying"], isCutover: true },
  { name: "Finish", phases: ["finalizing"], isCutover: true },
  { name: "Committed", phases: ["committed"] },
];

const TOLD = {
  created: ["Not begun", "Nothing is written anywhere before you start."],
  validating: ["Checking both clusters", "Nothing is written before every check has passed."],
  starting: ["Starting", "The source’s oplog is captured from here on."],
  copying: ["Copying", "Users go on writing to the source; what they write is captured and applied after the copy."],
  "catching-up": ["Catching up", "What users wrote meanwhile is applied to the destination."],
  ready: ["Ready", "Both sides are kept in step. When it suits you, stop the writes to the source and cut over."],
  draining: ["Cutting over: applying the rest", "Keep the source silent. Until indexes are finished it can be taken back."],
  verifying: ["Cutting over: comparing", "Keep the source silent. Until indexes are finished it can be taken back."],
  finalizing: ["Cutting over: finishing indexes", "Past the point of no return. Keep the source silent."],
  committed: ["Committed", "The destination has everything. Point the applications at it."],
  paused: ["Paused", "Copying and applying rest; the oplog is captured on. Resume when you like."],
  failed: ["Failed", "The source is untouched. Do what the failure says, then resume or start the command again."],
  rehearsed: ["Rehearsed", "The source was not changed; the destination is a copy to try things on. The report predicts the write downtime."],
  cancelled: ["Cancelled", "The source was never touched. Drop what was copied before another attempt."],
  expired: ["Expired", "No longer kept in step; nothing was dropped. Extend to go on, as long as the source’s oplog reaches back."],
};

/** Users are not sent back to a source whose changes nobody carries over any more. */
const FAILED_WHILE_FINISHING = "Past the point of no return, nothing committed. Let nobody write to the source. Do what the failure says, then start the command again.";
const REHEARSING = ["Ready", "The rehearsal ends by itself, with a report, once everything that can be is compared."];

export function told({ phase, cameFrom, canCommit }) {
  if (phase === "failed" && cameFrom === "finalizing") return [TOLD.failed[0], FAILED_WHILE_FINISHING];
  if (phase === "ready" && !canCommit) return REHEARSING;
  return TOLD[phase] ?? [phase, ""];
}

export const isCutover = (phase) => ["draining", "verifying", "finalizing"].includes(phase);
export const isFinal = (phase) => ["committed", "rehearsed", "cancelled"].includes(phase);
export const mayPause = (phase) => ["starting", "copying", "catching-up", "ready"].includes(phase);
export const mayResume = (phase) => ["paused", "failed"].includes(phase);
export const mayCancel = (phase) => !isFinal(phase) && phase !== "finalizing";

/** The timer runs once the migration was ready, until the cutover. */
export const mayExtend = ({ phase, expiresAtMs }) => (expiresAtMs ?? null) !== null && (mayPause(phase) || ["paused", "failed", "expired"].includes(phase));

/** The index of the step that the migration is in, or was in when it was paused or failed; -1 if that is not known. */
export function stepOf(status) {
  const phase = status.cameFrom ?? lastStep(status);
  return STEPS.findIndex((step) => step.phases.includes(phase));
}

function lastStep(status) {
  const entered = status.phases.map((stay) => stay.phase);
  return entered.reverse().find((phase) => STEPS.some((step) => step.phases.includes(phase))) ?? status.phase;
}
