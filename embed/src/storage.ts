/**
 * localStorage that never throws: what cannot be kept there is kept in memory until the page ends.
 * Storage is refused in sandboxed frames and by some privacy settings, and full at times; neither may
 * cost a visitor the form.
 */

const PREFIX = "leadline.";
const memory = new Map<string, string>();

export function read(key: string): string | null {
  const kept = memory.get(key);
  if (kept !== undefined) return kept;
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
    memory.delete(key);
  } catch {
    memory.set(key, value);
  }
}

/** Whether what is kept under `key` outlives the page. */
export function survives(key: string): boolean {
  return !memory.has(key);
}

export function remove(key: string): void {
  memory.delete(key);
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // Nothing was kept there.
  }
}

/** The keys that begin with `start`, in no particular order. */
export function list(start: string): string[] {
  const found = new Set([...memory.keys()].filter((key) => key.startsWith(start)));
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX + start)) found.add(key.slice(PREFIX.length));
    }
  } catch {
    // Only memory, then.
  }
  return [...found];
}

/** The JSON value under `key`, or undefined where there is none or it cannot be read. */
export function readJson<T>(key: string): T | undefined {
  try {
    return JSON.parse(read(key) ?? "") as T;
  } catch {
    return undefined;
  }
}
