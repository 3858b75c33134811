/** What requests carry: the API key of this tab, and a name of their own for commands. */

const NAME = 'utb.key';

export function readKey(): string | null {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    // Storage can be forbidden: then the key lives as long as the page
    return fallback;
  }
}

let fallback: string | null = null;

export function keepKey(key: string): void {
  fallback = key;
  try {
    sessionStorage.setItem(NAME, key);
  } catch {
    return;
  }
}

export function keyHeader(): Record<string, string> {
  const key = readKey();
  return key ? { 'X-API-Key': key } : {};
}

/** A new name for something the user does; the API answers it again, and does it once. */
export function actionKey(): string {
  // `randomUUID` is not there on a page that came over plain HTTP
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
