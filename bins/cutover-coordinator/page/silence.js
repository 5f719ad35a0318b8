// Whether the source still seems to be written to, by what was applied lately.

import { counted } from "./amounts.js";

const LOOK_BACK_MS = 10000;
let samples = [];

export function noteChanges(status, now) {
  samples = samples.filter((sample) => sample.at >= now - LOOK_BACK_MS);
  samples.push({ at: now, applied: status.changesApplied });
}

/** `{ isSilent, text }`, for the operator who is about to say that writes have stopped. */
export function evidence(status) {
  const applied = status.changesApplied - (samples[0]?.applied ?? status.changesApplied);
  const watched = Math.round(((samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0)) / 1000);
  if (applied > 0) {
    return { isSilent: false, text: `Something may still write: ${counted(applied, "change")} applied in the last ${watched} s.` };
  }
  if (!status.gapClosed) return { isSilent: false, text: "The source’s newest oplog entry is not applied yet." };
  return { isSilent: true, text: `No change was seen in the last ${watched} s, and nothing is left to apply.` };
}
