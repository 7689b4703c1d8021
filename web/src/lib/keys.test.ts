import { afterEach, expect, test } from 'vitest';
import { isPageKey } from './keys';

afterEach(() => {
  document.body.innerHTML = '';
});

/** Whether a key that is pressed on the element marked with `data-here` belongs to the page. */
function pressedOn(html: string): boolean {
  document.body.innerHTML = html;
  let answer: boolean | undefined;
  const listen = (event: KeyboardEvent) => {
    answer = isPageKey(event);
  };
  document.body.addEventListener('keydown', listen, { once: true });
  document.querySelector('[data-here]')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }));
  if (answer === undefined) throw new Error('no key was pressed');
  return answer;
}

test('a letter in a field is text', () => {
  expect(pressedOn('<input data-here>')).toBe(false);
  expect(pressedOn('<input type="search" data-here>')).toBe(false);
  expect(pressedOn('<textarea data-here></textarea>')).toBe(false);
  expect(pressedOn('<select data-here></select>')).toBe(false);
});

test('a letter on what takes none is a key of the page', () => {
  expect(pressedOn('<a href="/" data-here>Ada</a>')).toBe(true);
  expect(pressedOn('<input type="radio" data-here>')).toBe(true);
  expect(pressedOn('<input type="checkbox" data-here>')).toBe(true);
  expect(pressedOn('<input readonly aria-expanded="false" data-here>')).toBe(true);
});

test('a letter in a list, a menu or a dialog is theirs', () => {
  expect(pressedOn('<input readonly aria-expanded="true" data-here>')).toBe(false);
  expect(pressedOn('<div role="menu"><button data-here>For a day</button></div>')).toBe(false);
  expect(pressedOn('<div role="dialog"><button data-here>Cancel</button></div>')).toBe(false);
});
