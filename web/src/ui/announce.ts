/** Says a sentence to screen readers through one polite live region. */
let region: HTMLElement | null = null;

export function announce(sentence: string) {
  if (!region) {
    region = document.createElement('div');
    region.setAttribute('role', 'status');
    region.setAttribute('aria-live', 'polite');
    region.className = 'visually-hidden';
    document.body.append(region);
  }
  region.textContent = '';
  const target = region;
  requestAnimationFrame(() => {
    target.textContent = sentence;
  });
}
