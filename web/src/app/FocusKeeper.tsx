import { useEffect } from 'react';

const REMEMBERED = 30;
/** Whoever knows better where the focus belongs has it by then: dialogs and menus wait ten milliseconds. */
const PATIENCE_MS = 40;

interface Place {
  element: HTMLElement;
  dialog: Element | null;
  path: string;
}

const placeOf = (element: HTMLElement): Place => ({
  element,
  dialog: element.closest('dialog, [role="dialog"]'),
  path: window.location.pathname,
});

const canTakeIt = (element: HTMLElement) =>
  element.isConnected && !element.matches(':disabled') && element.getClientRects().length > 0;

/**
 * When what has the focus goes away (a dialog closes, a row is deleted, a button is off while it is busy), the browser
 * drops the focus, and who has no mouse begins at the top of the page again. This takes it back to where it was before.
 * It is there from the start: what had the focus before a dialog opened cannot be asked for later.
 */
export function FocusKeeper() {
  useEffect(() => {
    /** The latest first. */
    let places: Place[] = [];
    /** Had the focus when it was switched off. */
    let wasOff: Element | null = null;
    let isTouched = false;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const remember = ({ target }: FocusEvent) => {
      if (!(target instanceof HTMLElement)) return;
      places = [placeOf(target), ...places.filter(({ element }) => element !== target)].slice(0, REMEMBERED);
    };
    const restore = () => {
      const last = places[0];
      // A finger needs no focus, and a field that got it would bring up the keyboard.
      if (!last || isTouched || document.activeElement !== document.body) return;
      if (last.element.isConnected) {
        // Off while it is busy; or somebody took the focus away, and then it stays away.
        if (wasOff === last.element && canTakeIt(last.element)) last.element.focus({ preventScroll: true });
        return;
      }
      const dialog = last.dialog?.isConnected ? last.dialog : null;
      const isNear = ({ element, path }: Place) =>
        dialog ? dialog.contains(element) : path === window.location.pathname;
      const before = places.find((place) => isNear(place) && canTakeIt(place.element))?.element;
      const page = document.getElementById('content');
      (before ?? (dialog as HTMLElement | null) ?? page)?.focus({ preventScroll: true });
    };
    const observer = new MutationObserver((records) => {
      const last = places[0]?.element;
      if (!last) return;
      if (records.some(({ type, target }) => type === 'attributes' && target === last)) {
        if (last.matches(':disabled')) wasOff = last;
      }
      clearTimeout(timer);
      if (!last.isConnected || wasOff === last) timer = setTimeout(restore, PATIENCE_MS);
    });
    const touch = ({ pointerType }: PointerEvent) => {
      isTouched = pointerType === 'touch';
      wasOff = null;
    };
    const key = () => {
      isTouched = false;
    };
    document.addEventListener('focusin', remember);
    document.addEventListener('pointerdown', touch, true);
    document.addEventListener('keydown', key, true);
    observer.observe(document.body, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ['disabled'],
    });
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      document.removeEventListener('focusin', remember);
      document.removeEventListener('pointerdown', touch, true);
      document.removeEventListener('keydown', key, true);
    };
  }, []);
  return null;
}
