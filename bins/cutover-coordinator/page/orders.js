// Pause, resume, extend and cancel; and the timer that extending is for.

import { order } from "./api.js";
import { msText } from "./amounts.js";
import { openCutover } from "./cutover.js";
import { byId, setText, show } from "./element.js";
import { mayCancel, mayExtend, mayPause, mayResume } from "./phases.js";
import { showRefusal } from "./problems.js";

const dialog = byId("cancel-dialog");
let id = "";

export function showOrders(status, fresh) {
  id = status.id;
  const { phase } = status;
  show(byId("pause"), mayPause(phase));
  show(byId("resume"), mayResume(phase));
  show(byId("cancel"), mayCancel(phase));
  show(byId("cutover"), mayPause(phase) || phase === "validating");
  show(byId("extend"), mayExtend(status));
  showTimer(status);
  showPrediction(status);
  for (const name of ["pause", "resume", "extend", "cancel"]) byId(name).disabled = !fresh;
  byId("cutover").disabled = !(fresh && status.canCommit);
  byId("cutover").title = status.canCommit ? "" : "Possible once the migration is ready";
  setText(byId("cancel-expected"), id);
  if (dialog.open && !mayCancel(phase)) dialog.close();
}

/** By the coordinator's clock, which need not be this machine's. */
function showTimer(status) {
  const { enteredAtMs, durationMs } = status.phases.at(-1);
  const left = status.expiresAtMs - enteredAtMs - durationMs;
  show(byId("timer"), mayExtend(status) && status.phase !== "expired");
  setText(byId("timer"), `Kept in step for ${msText(Math.max(left, 0))} more, unless extended.`);
}

function showPrediction({ phase, predictedDowntimeMs: predicted }) {
  const isKnown = phase === "ready" && (predicted ?? null) !== null;
  show(byId("prediction"), isKnown);
  if (isKnown) setText(byId("prediction"), `Cut over now, the write downtime would be about ${msText(predicted)}.`);
}

async function give(name, refused) {
  showRefusal(refused, null);
  try {
    await order(name);
    return true;
  } catch (error) {
    showRefusal(refused, error);
    return false;
  }
}

byId("pause").addEventListener("click", () => give("pause", byId("refused")));
byId("resume").addEventListener("click", () => give("resume", byId("refused")));
byId("extend").addEventListener("click", () => give("extend", byId("refused")));
byId("cutover").addEventListener("click", openCutover);

byId("cancel").addEventListener("click", () => {
  byId("cancel-name").value = "";
  byId("cancel-go").disabled = true;
  showRefusal(byId("cancel-refused"), null);
  dialog.showModal();
});
byId("cancel-name").addEventListener("input", () => {
  byId("cancel-go").disabled = byId("cancel-name").value.trim() !== id;
});
byId("cancel-go").addEventListener("click", async () => {
  if (await give("cancel", byId("cancel-refused"))) dialog.close();
});
