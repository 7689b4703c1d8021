/** UUIDv7: unique without asking anybody, and in the order of time, which the queue relies on. */
export function newId(): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => (byte + 256).toString(16).slice(1)).join("");
  const time = Date.now().toString(16).padStart(12, "0");
  // Version 7, variant 8: the two digits that are not random.
  return `${time}7${random.slice(0, 3)}8${random.slice(3)}`.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
