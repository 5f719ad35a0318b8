// Asks the coordinator once a second and shows what it says. What is shown is never older than it looks: without an answer
// the page says since when, and takes no orders.

import * as api from "./api.js";
import { clockText, msText, percent } from "./amounts.js";
import { noteValidation, showBeginning } from "./begin.js";
import { showChecks } from "./checks.js";
import { showCopy } from "./copy.js";
import { showCutover } from "./cutover.js";
import { byId, setClass, setText, show } from "./element.js";
import { showLag } from "./lag.js";
import { showOrders } from "./orders.js";
import { isCutover, isFinal, told } from "./phases.js";
import { showBlocks, showProblems } from "./problems.js";
import { showReport } from "./report.js";
import { noteChanges } from "./silence.js";
import { showStanding } from "./standing.js";
import { showWalk } from "./walk.js";

const EVERY_MS = 1000;
const EVERY_IN_CUTOVER_MS = 250;
/** Longer than a slow answer; a tab that was asleep is noticed by it. */
const OLD_MS = 4000;

/** What the last look told of and the end has settled. */
const OVER = { held: null, warnings: [], outages: [], writeBlocks: [] };

let status = null;
let answeredAt = null;
let silence = null;
let report = null;
let isReportAwaited = false;
let areChecksShown = false;
let isAsking = false;
let timer = null;

async function poll() {
  if (isAsking) return;
  isAsking = true;
  clearTimeout(timer);
  const error = await ask();
  isAsking = false;
  if (error?.status === 401) return askForToken();
  silence = error;
  show(byId("token"), false);
  draw();
  // Nothing more will be said, and nobody is there to say it.
  if (isOver() && report !== null) return;
  timer = setTimeout(poll, status !== null && isCutover(status.phase) ? EVERY_IN_CUTOVER_MS : EVERY_MS);
}

/** Takes in what the coordinator says; gives back why it did not. */
async function ask() {
  try {
    const answer = await api.migration();
    // What the report has told as final is not taken back by an answer that was on its way.
    if (isOver()) return null;
    [status, answeredAt] = [answer, Date.now()];
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    return error;
  }
  noteChanges(status, answeredAt);
  showLag(status, answeredAt);
  awaitReport();
  return askForChecks();
}

/** Asked ahead of the end: the answer comes with the last phase, when the process that gives it is about to be stopped. */
async function awaitReport() {
  if (isReportAwaited) return;
  isReportAwaited = true;
  try {
    const ended = await api.reportAtEnd();
    if (isFinal(ended.phase) || ended.phase === "failed") {
      report = ended;
      status = { ...status, ...(isFinal(ended.phase) ? OVER : {}), phase: ended.phase, phases: ended.phases, failures: ended.failures, canCommit: false, writeDowntimeMs: ended.writeDowntimeMs };
      draw();
    }
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
  }
  // A migration that failed may go on.
  isReportAwaited = report !== null && isFinal(report.phase);
}

/** Before the start what was asked for, from then on what the start went by. Gives back why there was no answer. */
async function askForChecks() {
  if (areChecksShown || status.phase === "validating") return null;
  try {
    if (status.phase === "created") {
      await noteValidation();
      return null;
    }
    areChecksShown = true;
    showChecks(await api.validation());
    byId("checks").open = false;
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    areChecksShown = false;
    // A migration that has begun is shown without them.
    if (status.phase === "created") return error;
  }
  return null;
}

/** What is known has ended for good and can't grow old. */
const isOver = () => status !== null && isFinal(status.phase);

/** Since when what is shown is old, in milliseconds since 1970; null while it is fresh. */
function oldSince() {
  const busLost = status?.outages.find((outage) => outage.party === "bus");
  if (isOver()) return null;
  if (silence !== null || Date.now() - answeredAt > OLD_MS) return answeredAt;
  return busLost?.sinceMs ?? null;
}

function draw() {
  showFreshness();
  if (status === null) return;
  show(byId("main"), true);
  const isFresh = oldSince() === null;
  document.body.dataset.phase = status.phase;
  const [title, explanation] = told(status);
  const headline = status.phase === "copying" && status.bytesTotal > 0 ? copyHeadline(title) : title;
  setText(byId("headline"), headline);
  setText(byId("explanation"), explanation);
  setText(byId("source"), status.source);
  setText(byId("destination"), status.destination);
  setText(byId("migration"), status.id);
  document.title = `${headline} – ${status.id} – mongoferry`;
  showWalk(status);
  showBeginning(status, isFresh);
  showProblems(status);
  showBlocks(isOver() ? OVER : status);
  showOrders(status, isFresh);
  showCutover(status, isFresh);
  showCopy(status);
  showStanding(status);
  const isReported = report !== null && report.phase === status.phase;
  showReport(isReported ? report : null);
  // The report has the last numbers; those of the last look may be older than the end.
  show(byId("details"), status.phase !== "created" && !(isReported && isOver()));
}

/** Indexes are built behind the copy, and often take longer. */
function copyHeadline(title) {
  if (status.bytes >= status.bytesTotal && status.indexes.some((index) => index.state === "building")) return "Building indexes";
  return `${title} · ${percent(status.bytes, status.bytesTotal)} %`;
}

function showFreshness() {
  const since = oldSince();
  const isFresh = since === null && status !== null;
  document.body.dataset.fresh = isFresh;
  setClass(byId("connection"), `connection ${isFresh ? "live" : "lost"}`);
  setText(byId("connection"), isOver() ? "ended" : isFresh ? "live" : "no answer");
  show(byId("stale"), !isFresh);
  if (!isFresh) setText(byId("stale"), staleText(since));
  announce(isFresh);
}

/** Read out once for each phase, and when an answer is missed; not every second. */
function announce(isFresh) {
  if (status === null) return;
  const [title, explanation] = told(status);
  setText(byId("announcement"), isFresh ? `${title}. ${explanation}` : "The coordinator does not answer. What is shown is old.");
}

function staleText(since) {
  const reason = silence === null ? "The coordinator does not answer" : sentence(silence.message);
  const hint = silence?.hint ? ` ${silence.hint}` : "";
  if (since === null) return `${reason}.${hint} Asking again every second.`;
  const isBus = silence === null && Date.now() - answeredAt <= OLD_MS;
  const cause = isBus ? "The coordinator does not reach the bus" : reason;
  return `${cause}. What is shown is as of ${clockText(since)}, ${msText(Math.floor((Date.now() - since) / 1000) * 1000)} ago.${hint}`;
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function askForToken() {
  show(byId("main"), false);
  show(byId("stale"), false);
  show(byId("token"), true);
  show(byId("token-refused"), api.hasToken());
  setText(byId("connection"), "locked");
  byId("token-value").focus();
}

byId("token").addEventListener("submit", (event) => {
  event.preventDefault();
  api.keepToken(byId("token-value").value.trim());
  byId("token-value").value = "";
  poll();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && byId("token").hidden) poll();
});
// A silence grows also while nothing is answered.
setInterval(() => {
  if (byId("token").hidden) draw();
}, EVERY_MS);
poll();
