/** Requests to the API of this host. */

import { keyHeader } from './key';

const TIMEOUT_MS = 8000;
/** The API itself waits 10 s for the trading process; its answer must find the page still there. */
const COMMAND_TIMEOUT_MS = 15_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }
}

/** Returns the JSON of an answer. A path from the root, with its query. */
export async function get<T>(path: string): Promise<T> {
  return (await call(path, { method: 'GET' }, TIMEOUT_MS)) as T;
}

/** Gives a command. `action` names what the user did, the same in each attempt at it. */
export async function post<T>(path: string, action: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'Idempotency-Key': action };
  const init: RequestInit = { method: 'POST', headers };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    headers['Content-Type'] = 'application/json';
  }
  return (await call(path, init, COMMAND_TIMEOUT_MS)) as T;
}

async function call(path: string, init: RequestInit, timeoutMs: number): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      ...init,
      headers: { Accept: 'application/json', ...keyHeader(), ...init.headers },
      signal: AbortSignal.timeout(timeoutMs),
      cache: 'no-store',
    });
  } catch (error) {
    const late = (error as Error).name === 'TimeoutError';
    throw new ApiError(0, 'UNREACHABLE', late ? 'the API did not answer in time' : 'the API is not reachable');
  }
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok && !isHealth(path, answer.status)) throw refused(answer, body);
  return body;
}

/** Health routes answer 503 with their reasons: that is content, not a failure. */
function isHealth(path: string, status: number): boolean {
  return status === 503 && path.startsWith('/health');
}

function refused(answer: Response, body: unknown): ApiError {
  const error = (body as { error?: { code?: string; message?: string; details?: unknown } } | null)?.error;
  const wait = Number(answer.headers.get('Retry-After'));
  return new ApiError(
    answer.status,
    error?.code ?? 'SYSTEM_ERROR',
    error?.message ?? `the API answered ${answer.status}`,
    (error?.details as Record<string, unknown> | undefined) ?? {},
    Number.isFinite(wait) && wait > 0 ? wait : null,
  );
}

/** The rows of a list answer, which is a list or an object that holds it under its name. */
export function rows<T>(answer: unknown, name: string): T[] {
  if (Array.isArray(answer)) return answer as T[];
  const held = (answer as Record<string, unknown> | null)?.[name];
  return Array.isArray(held) ? (held as T[]) : [];
}
