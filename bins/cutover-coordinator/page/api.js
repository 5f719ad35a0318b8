// The coordinator's HTTP API. The token is entered once and kept by this tab alone.

const KEPT = "mongoferry-token";
const PATIENCE_MS = 8000;

/** What the API answered other than what was asked for; `code` is absent where nobody answered. */
export class ApiError extends Error {
  constructor(message, { code = null, hint = "", status = 0 } = {}) {
    super(message);
    Object.assign(this, { code, hint, status });
  }
}

export function keepToken(token) {
  sessionStorage.setItem(KEPT, token);
}

export const hasToken = () => sessionStorage.getItem(KEPT) !== null;

export const migration = () => call("GET", "migration");
/** Those that were asked for: the last one. */
export const validations = () => call("GET", "validations");
export const validation = () => call("GET", "validation");
/** Answers at the migration's end, however long that takes: the process that serves it may be gone a second later. */
export const reportAtEnd = () => call("GET", "report?when=ended", null, null);
export const order = (name, body = {}) => call("POST", name, body);

async function call(method, path, body = null, patience = PATIENCE_MS) {
  const headers = {};
  const token = sessionStorage.getItem(KEPT);
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== null) headers["Content-Type"] = "application/json";
  const request = { method, headers, cache: "no-store", body: body === null ? undefined : JSON.stringify(body) };
  if (patience !== null) request.signal = AbortSignal.timeout(patience);
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, request);
  } catch {
    throw new ApiError("the coordinator does not answer");
  }
  let data;
  try {
    data = await answer.json();
  } catch {
    throw new ApiError("the coordinator's answer broke off", { status: answer.status });
  }
  if (answer.ok && data.success !== false) return data;
  throw new ApiError(data.errorDescription ?? `status ${answer.status}`, {
    code: data.error,
    hint: data.hint,
    status: answer.status,
  });
}
