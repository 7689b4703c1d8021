/** "Add a lead" may be asked for from anywhere; the page that shows leads answers. */
type Handler = () => void;
let handler: Handler | null = null;
let asked = false;

/** Answers the command while mounted, and one that was given just before. */
export function onAddLead(next: Handler): () => void {
  handler = next;
  if (asked) {
    asked = false;
    next();
  }
  return () => {
    if (handler === next) handler = null;
  };
}

/** True when a page took the command; otherwise it waits for the next one that can. */
export function askAddLead(): boolean {
  if (handler) {
    handler();
    return true;
  }
  asked = true;
  return false;
}

let showPalette: Handler | null = null;

/** Opens the palette for whoever asks while mounted. */
export function onPalette(show: Handler): () => void {
  showPalette = show;
  return () => {
    if (showPalette === show) showPalette = null;
  };
}

export function openPalette() {
  showPalette?.();
}
