// What is wrong: failures, legs that are down, warnings; each with its code and what to do.

import { msText } from "./amounts.js";
import { byId, element, setContent } from "./element.js";

export function showProblems(status) {
  setContent(
    byId("problems"),
    ...(status.held ? [problem("bad", `Held for ${msText(Date.now() - status.held.atMs)}`, status.held)] : []),
    ...status.failures.map((failure) => problem("bad", "Failure", failure)),
    ...status.outages.map(outage),
    ...status.warnings.filter((warning) => !isHeld(status, warning)).map((warning) => problem("warn", "Warning", warning)),
  );
}

/** What keeps users from writing, and how it is lifted should mongoferry be gone. */
export function showBlocks({ writeBlocks }) {
  const told = ({ cluster, lift }) =>
    element(
      "div",
      { class: "problem" },
      element("p", {}, element("strong", {}, "Writes blocked"), ` Users can’t write to the ${cluster}; mongoferry lifts that itself.`),
      element("p", { class: "quiet" }, "By hand, in a shell on that cluster: ", element("code", {}, lift)),
    );
  setContent(byId("blocks"), ...writeBlocks.map(told));
}

/** Told above, before everything else: work waits for it. */
const isHeld = ({ held }, warning) => held && held.code === warning.code && held.instance === warning.instance;

/** One thing that is wrong, with what to do about it. */
export function problem(tone, word, { code, message, hint, causes, role, instance }) {
  const who = instance || role;
  return element(
    "div",
    { class: `problem ${tone}` },
    element("p", {}, element("strong", {}, word), " ", element("code", {}, code), who ? ` ${who}: ` : " ", message),
    causes?.length ? element("p", { class: "quiet" }, causes.join(": ")) : null,
    hint ? element("p", {}, element("span", { class: "do" }, "Do "), hint) : null,
  );
}

function outage({ party, instances, downForMs, reason }) {
  const text = ` for ${msText(downForMs)}, not reached by ${instances.join(", ")}: ${reason}`;
  return element(
    "div",
    { class: "problem bad" },
    element("p", {}, element("strong", {}, `The ${party} is down`), text),
    element("p", {}, element("span", { class: "do" }, "Do "), "nothing if it comes back by itself; work goes on from where it stands."),
  );
}

/** Shows in `target` why the API refused, or nothing. */
export function showRefusal(target, error) {
  target.hidden = error === null;
  if (error === null) return;
  target.replaceChildren(element("strong", {}, error.code ?? "No answer"), ` ${error.message}. ${error.hint}`);
}
