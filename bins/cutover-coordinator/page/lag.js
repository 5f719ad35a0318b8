// The lag by leg: now, and as a curve of the last minutes. The samples are this page's own, from when it was opened.

import { clockText, msText } from "./amounts.js";
import { byId, drawing, element, facts, setContent } from "./element.js";

const SPAN_MS = 5 * 60 * 1000;
/** A leg's line is broken where nothing was heard for so long. */
const HOLE_MS = 5000;
const WIDTH = 600;
const HEIGHT = 120;

let samples = [];

export function showLag(status, now) {
  samples = samples.filter((sample) => sample.at >= now - SPAN_MS);
  if (status.lag !== null) samples.push({ at: now, first: status.lag.sourceToBusMs, second: status.lag.busToDestinationMs });
  setContent(byId("lag"), ...current(status), curve(now));
}

function current({ lag, gap, gapClosed, sourceOptime, appliedOptime, phase, catchUpEtaSeconds: eta }) {
  if (lag === null) return [element("p", { class: "quiet" }, "Known once changes are applied, after the copy.")];
  const total = gapClosed ? "Nothing left to apply" : msText(lag.totalMs);
  return [
    element("p", { class: gapClosed ? "figure good" : "figure" }, total),
    element(
      "dl",
      { class: "facts" },
      ...facts([
        ["Source to bus", msText(lag.sourceToBusMs), "leg first"],
        ["Bus to destination", msText(lag.busToDestinationMs), "leg second"],
        ["Gap", gap === null ? null : gapClosed ? "0" : `${gap.t}:${gap.i}`],
        ["Source at", sourceOptime === null ? null : optimeText(sourceOptime)],
        ["Applied to", appliedOptime === null ? null : optimeText(appliedOptime)],
        ["In step in", (eta ?? null) === null ? null : msText(eta * 1000)],
      ]),
    ),
    phase === "copying" ? element("p", { class: "quiet note" }, "Applied only after the copy: until then it grows.") : null,
  ];
}

/** As in the terminal: seconds and counter. */
const optimeText = ({ t, i }) => `${t}:${i}`;

function curve(now) {
  if (samples.length < 2) return null;
  const highest = Math.max(...samples.map((sample) => sample.first + sample.second));
  const top = roundUp(highest);
  const x = (sample) => (((sample.at - (now - SPAN_MS)) / SPAN_MS) * WIDTH).toFixed(1);
  const y = (ms) => (HEIGHT - (ms / top) * (HEIGHT - 4)).toFixed(1);
  const line = (name, value) =>
    unbroken(samples).map((part) => {
      const points = part.map((sample) => `${x(sample)},${y(value(sample))}`).join(" ");
      return drawing("polyline", { points, class: `line ${name}` });
    });
  const label = `Lag in the last 5 minutes, at most ${msText(highest)}`;
  return element(
    "figure",
    { class: "curve" },
    drawing(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
      drawing("line", { x1: 0, x2: WIDTH, y1: 4, y2: 4, class: "grid" }),
      drawing("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2 + 2, y2: HEIGHT / 2 + 2, class: "grid" }),
      ...line("first", (sample) => sample.first),
      ...line("second", (sample) => sample.second),
    ),
    element("figcaption", {}, element("span", {}, clockText(now - SPAN_MS)), element("span", {}, `top: ${msText(top)}`), element("span", {}, "now")),
  );
}

function unbroken(all) {
  const parts = [];
  for (const sample of all) {
    const part = parts.at(-1);
    if (part !== undefined && sample.at - part.at(-1).at < HOLE_MS) part.push(sample);
    else parts.push([sample]);
  }
  return parts.filter((part) => part.length > 1);
}

/** 1, 2 or 5 times a power of ten; at least a second, so that a lag of milliseconds does not look like a mountain. */
export function roundUp(ms) {
  const power = 10 ** Math.floor(Math.log10(Math.max(ms, 1000)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= ms) ?? ms;
}
