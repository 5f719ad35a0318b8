// How far the copy is: as a whole, by collection, by index.

import { bytesText, counted, countText, msText, percent } from "./amounts.js";
import { byId, element, facts, setClass, setContent, setText, show } from "./element.js";
import { LongList } from "./long_list.js";

const INDEX_ORDER = ["failed", "building", "deferred", "waiting", "built"];
const [UNDER_WAY, WAITING, COMPLETE] = [0, 1, 2];
const INDEX_WORDS = { deferred: "at cutover" };

const collections = new LongList(byId("collections"), {
  title: "Collections",
  name: (collection) => collection.namespace,
  order: (a, b) => stage(a) - stage(b) || b.bytesTotal - a.bytesTotal || (a.namespace < b.namespace ? -1 : 1),
  makeRow: collectionRow,
});

const indexes = new LongList(byId("indexes"), {
  title: "Indexes",
  name: (index) => `${index.namespace} ${index.name}`,
  order: (a, b) => INDEX_ORDER.indexOf(a.state) - INDEX_ORDER.indexOf(b.state),
  makeRow: indexRow,
});

export function showCopy(status) {
  setContent(byId("copy"), ...overall(status));
  const copied = status.collections.filter((collection) => collection.complete).length;
  collections.show(status.collections, `${countText(copied)} of ${countText(status.collections.length)} copied`);
  const count = (state) => status.indexes.filter((index) => index.state === state).length;
  const others = ["building", "deferred", "failed"].filter((state) => count(state) > 0);
  const words = others.map((state) => `${countText(count(state))} ${INDEX_WORDS[state] ?? state}`);
  const built = `${countText(count("built"))} of ${countText(status.indexes.length)} built`;
  indexes.show(status.indexes, [built, ...words].join(", "));
}

function overall(status) {
  if (status.collections.length === 0) return [element("p", { class: "quiet" }, "Nothing yet.")];
  const done = percent(status.bytes, status.bytesTotal);
  const isUnderWay = status.bytes < status.bytesTotal;
  const isRunning = isUnderWay && status.phase === "copying";
  return [
    element("p", { class: "figure" }, `${done} %`),
    element("progress", { max: 100, value: done, "aria-label": "Copied" }),
    element(
      "dl",
      { class: "facts wide" },
      ...facts([
        ["Data", isUnderWay ? `${bytesText(status.bytes)} of ${bytesText(status.bytesTotal)}` : bytesText(status.bytes)],
        ["Documents", countText(status.documents)],
        ["Rate", isRunning ? `${bytesText(status.bytesPerSecond)}/s` : null],
        ["Left", isRunning && status.copyEtaSeconds !== null ? `about ${msText(status.copyEtaSeconds * 1000)}` : null],
        ["Held to", held(status.throttle)],
        ["Copied again", status.repeatedDocuments > 0 ? counted(status.repeatedDocuments, "document") : null],
      ]),
    ),
  ];
}

function held({ documentsPerSecond, bytesPerSecond, rangesAtOnce }) {
  const limits = [
    documentsPerSecond && `${counted(documentsPerSecond, "document")}/s`,
    bytesPerSecond && `${bytesText(bytesPerSecond)}/s`,
    rangesAtOnce && `${counted(rangesAtOnce, "range")} at once`,
  ].filter(Boolean);
  return limits.length === 0 ? null : limits.join(", ");
}

/** Those under way come first, those that are complete last. */
const stage = (collection) => (collection.complete ? COMPLETE : collection.bytes > 0 ? UNDER_WAY : WAITING);

function collectionRow({ namespace }) {
  const bar = element("progress", { max: 100, "aria-label": `${namespace} copied` });
  const done = element("span", { class: "row-figure" });
  const detail = element("span", { class: "row-detail" });
  const node = element("li", { class: "row" }, element("span", { class: "row-name" }, namespace), done, bar, detail);
  const update = (collection) => {
    const part = Math.min(percent(collection.bytes, collection.bytesTotal), 99);
    if (bar.value !== part) bar.value = part;
    show(bar, stage(collection) === UNDER_WAY);
    setText(done, ["", "waiting", "copied"][stage(collection)] || `${part} %`);
    const amount = `${bytesText(collection.bytes)} of ${bytesText(collection.bytesTotal)}`;
    const ranges = `${countText(collection.ranges)} of ${counted(collection.rangesTotal, "range")}`;
    const documents = counted(collection.documents, "document");
    const parts = collection.complete ? [bytesText(collection.bytes), documents] : [amount, documents, ranges];
    setText(detail, stage(collection) === WAITING ? bytesText(collection.bytesTotal) : parts.join(" · "));
  };
  return { node, update };
}

function indexRow({ namespace, name }) {
  const state = element("span", {});
  const detail = element("span", { class: "row-detail" });
  const label = element("span", { class: "row-name" }, name, element("span", { class: "quiet" }, ` of ${namespace}`));
  const node = element("li", { class: "row" }, label, state, detail);
  const update = (index) => {
    setText(state, INDEX_WORDS[index.state] ?? index.state);
    setClass(state, `row-figure badge ${index.state}`);
    setText(detail, index.reason ?? "");
  };
  return { node, update };
}
