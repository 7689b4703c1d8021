/** Made when it is first needed, and kept: the formats of dates and numbers take long to make. */
export function once<T>(make: () => T): () => T {
  let made: { it: T } | undefined;
  return () => {
    made ??= { it: make() };
    return made.it;
  };
}
