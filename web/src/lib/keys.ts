import { useHotkeys } from '@mantine/hooks';

/** Fields into which letters are typed; boxes, radio buttons and sliders take none. */
const TAKES_NO_LETTERS = ['checkbox', 'radio', 'range', 'button', 'submit', 'reset', 'file', 'color'];

const isTyped = (element: Element) =>
  element.matches('textarea, select, [contenteditable="true"]') ||
  (element instanceof HTMLInputElement && !element.readOnly && !TAKES_NO_LETTERS.includes(element.type));

/** Whether a letter is a key of the page now: nobody writes, and neither a dialog, a menu nor a list is open. */
export function isPageKey({ target }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return true;
  const isOpen = target.getAttribute('aria-expanded') === 'true' && target.matches('input');
  return !isOpen && !isTyped(target) && !target.closest('[role="dialog"], [role="menu"], [role="listbox"]');
}

/** Letters that are keys of a page, with what they do. */
export function usePageKeys(keys: Record<string, () => void>) {
  useHotkeys(
    Object.entries(keys).map(([key, run]) => [
      key,
      (event) => {
        if (!isPageKey(event)) return;
        // Else the letter would be the first one of a field to which the key leads.
        event.preventDefault();
        run();
      },
      { preventDefault: false },
    ]),
    // Which element had the key is looked at above.
    [],
  );
}
