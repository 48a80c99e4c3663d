/**
 * Light or dark, as was chosen in this browser: a script of its own, so that it is known before anything is drawn. The
 * choice is made in `src/lib/theme.ts`, which tells this by a `storage` event, as browsers tell every other tab.
 */
(() => {
  const root = document.documentElement;
  const bars = document.querySelectorAll('meta[name="theme-color"]');

  function chosen() {
    try {
      const theme = localStorage.getItem('vestibule-theme');
      return theme === 'light' || theme === 'dark' ? theme : null;
    } catch {
      // A browser that keeps nothing goes by the system.
      return null;
    }
  }

  function dress() {
    const theme = chosen();
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const bar of bars) {
      const own = bar.dataset.theme;
      const chosenMedia = own === theme ? 'all' : 'not all';
      bar.setAttribute('media', theme ? chosenMedia : `(prefers-color-scheme: ${own})`);
    }
  }

  /** The bar of the browser has the colour of the page, which a style sheet of the site's own may have changed. */
  function paintBar() {
    const { backgroundColor } = getComputedStyle(root);
    for (const bar of bars) if (matchMedia(bar.media).matches) bar.content = backgroundColor;
  }

  dress();
  addEventListener('load', paintBar);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paintBar);
  addEventListener('storage', () => {
    dress();
    paintBar();
  });
})();
