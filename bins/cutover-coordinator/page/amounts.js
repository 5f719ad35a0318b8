// Bytes, counts and durations as people read them; the same as in the terminal.

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytesText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  let amount = bytes / 1024;
  let unit = 0;
  // 1023.95 would be shown as 1024.0.
  while (amount >= 1023.5 && unit + 1 < UNITS.length) {
    amount /= 1024;
    unit += 1;
  }
  return `${amount.toFixed(amount < 9.95 ? 1 : 0)} ${UNITS[unit]}`;
}

export const countText = (count) => count.toLocaleString("en-US");

/** `1 document`, `2 indexes`, `3 entries`. */
export function counted(count, noun) {
  if (count === 1) return `1 ${noun}`;
  const plural = noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : noun.endsWith("x") ? `${noun}es` : `${noun}s`;
  return `${countText(count)} ${plural}`;
}

export function msText(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (number) => String(number).padStart(2, "0");
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 59500) return `${Math.round(ms / 1000)} s`;
  if (ms < 3600000) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  if (ms < 172800000) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.floor(seconds / 86400)} days ${Math.floor((seconds % 86400) / 3600)} h`;
}

/** Whole percent, rounded down, so that 100 means all. An empty whole is complete. */
export const percent = (part, whole) => (whole === 0 ? 100 : Math.floor((Math.min(part, whole) * 100) / whole));

export const clockText = (ms) => new Date(ms).toLocaleTimeString("en-GB");
