/** A fault of ours must not cost the page anything: the browser goes on as if the listener were not there. */
export function quietly<E extends Event>(listener: (event: E) => unknown): (event?: Event) => void {
  return (event) => {
    try {
      listener(event as E);
    } catch {
      // Whoever raised the event is not to notice.
    }
  };
}
