// Pause, resume and cancel.

import { order } from "./api.js";
import { openCutover } from "./cutover.js";
import { byId, setText, show } from "./element.js";
import { mayCancel, mayPause, mayResume } from "./phases.js";
import { showRefusal } from "./problems.js";

const dialog = byId("cancel-dialog");
let id = "";

export function showOrders(status, fresh) {
  id = status.id;
  const { phase } = status;
  show(byId("pause"), mayPause(phase));
  show(byId("resume"), mayResume(phase));
  show(byId("cancel"), mayCancel(phase));
  show(byId("cutover"), mayPause(phase) || ["created", "validating"].includes(phase));
  for (const name of ["pause", "resume", "cancel"]) byId(name).disabled = !fresh;
  byId("cutover").disabled = !(fresh && status.canCommit);
  byId("cutover").title = status.canCommit ? "" : "Possible once the migration is ready";
  setText(byId("cancel-expected"), id);
  if (dialog.open && !mayCancel(phase)) dialog.close();
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
