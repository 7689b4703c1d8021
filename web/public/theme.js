// Sets the colour scheme before the first paint. A file of its own because the content security policy
// forbids inline scripts.
(() => {
  let chosen = 'auto';
  try {
    chosen = localStorage.getItem('leadline-color-scheme') || 'auto';
  } catch {
    // Storage is denied: follow the system.
  }
  const dark = chosen === 'dark' || (chosen === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
