// Lets the styles of libraries work under a Content-Security-Policy without 'unsafe-inline'.
//
// Toasts, dialogs and xterm.js write <style> elements into the page, and xterm.js sets `style`
// attributes where it draws without WebGL. Such text is not applied under `style-src 'self'`, while
// what a script does through CSSOM is: so the former becomes a constructed style sheet, and the
// latter goes through `element.style`. Must run before any of those libraries.

const TAG = "adopted-style";

/** Stands for a <style> element: its text applies while it is in the document. */
class AdoptedStyle extends HTMLElement {
  readonly sheet = new CSSStyleSheet();
  /** As <style> has them; libraries set them. */
  type = "";
  media = "";

  constructor() {
    super();
    const options = { childList: true, characterData: true, subtree: true };
    new MutationObserver(() => this.apply()).observe(this, options);
  }

  connectedCallback(): void {
    // Outside of <head> its text would be seen.
    this.hidden = true;
    this.apply();
    const { adoptedStyleSheets: sheets } = document;
    if (!sheets.includes(this.sheet)) sheets.push(this.sheet);
  }

  disconnectedCallback(): void {
    if (this.isConnected) return;
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(
      (sheet) => sheet !== this.sheet,
    );
  }

  private apply(): void {
    this.sheet.replaceSync(this.textContent ?? "");
  }
}

function adoptStyleElements(): void {
  customElements.define(TAG, AdoptedStyle);
  const create = document.createElement.bind(document) as Document["createElement"];
  document.createElement = ((name: string, options?: ElementCreationOptions) =>
    create(name === "style" ? TAG : name, options)) as Document["createElement"];
}

function setStylesByCssom(): void {
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name: string, value: string) {
    if (name === "style" && "style" in this) (this as HTMLElement).style.cssText = value;
    else set.call(this, name, value);
  };
}

adoptStyleElements();
setStylesByCssom();
