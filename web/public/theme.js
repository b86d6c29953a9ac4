// Sets the theme that was chosen on this machine before anything is painted; without a choice the system decides. Written by web/theme.ts.
try {
  const chosen = localStorage.getItem('banyan-theme')
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen
} catch {
  // storage is switched off: the system's theme it is
}
