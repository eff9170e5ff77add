// Grist's theme: which one, its variables on this page, and in the form in which a widget is told.

/** Sets the page's theme and returns it as widgets get it: `{appearance, name, colors}`. */
export async function applyTheme() {
  const themes = await (await fetch("/page/static/themes.json")).json();
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const wanted = new URLSearchParams(location.search).get("themeAppearance");
  const pick = () => themed(themes, wanted ?? (dark.matches ? "dark" : "light"));
  const listeners = [];
  let theme = pick();
  show(theme);
  if (!wanted) {
    dark.addEventListener("change", () => {
      theme = pick();
      show(theme);
      for (const listener of listeners) listener(theme);
    });
  }
  return { current: () => theme, onChange: (listener) => listeners.push(listener) };
}

function themed(themes, appearance) {
  const { attributes, variables } = themes[appearance] ?? themes.light;
  const colors = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name.replace("--grist-theme-", ""), value]));
  return { appearance: attributes["data-grist-appearance"], name: attributes["data-grist-theme"], colors };
}

function show({ appearance, name, colors }) {
  const root = document.documentElement;
  for (const [property, value] of Object.entries(colors)) root.style.setProperty(`--grist-theme-${property}`, value);
  root.style.colorScheme = appearance;
  root.dataset.gristTheme = name;
  root.dataset.gristAppearance = appearance;
}
