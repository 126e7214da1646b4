// Before anything is painted: the theme that was chosen in this browser. The app does the rest.
(function () {
  try {
    var chosen = JSON.parse(localStorage.getItem("chatcode.preferences") || "{}").theme;
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch (_) {
    // Then as the system says.
  }
})();
