/** Marks our own writes, so that their echo in the live stream can be told from other people's changes. */
const MAX_REMEMBERED = 200;
const own = new Set<string>();

export function newClientOp(): string {
  const op = crypto.randomUUID();
  own.add(op);
  if (own.size > MAX_REMEMBERED) own.delete(own.values().next().value as string);
  return op;
}

export const isOwnOp = (op: string | null | undefined): boolean => op != null && own.has(op);
