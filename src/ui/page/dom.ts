/** What an element is made with: properties of its own, then attributes. */
export interface ElementParts<Tag extends keyof HTMLElementTagNameMap> {
  readonly props?: Partial<HTMLElementTagNameMap[Tag]>;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children?: readonly (Node | string)[];
}

/** Makes an element. Texts are texts: nothing a file is called becomes markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  { props = {}, attributes = {}, children = [] }: ElementParts<Tag> = {},
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), props);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An element of the page that is there from the beginning. @throws Error when it is not. */
export function requireElement<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no #${id}.`);
}

/** A button about one file: who hears it hears the file's name, too. */
export function fileButton(text: string, filename: string, onClick: () => void): HTMLButtonElement {
  const button = element('button', { props: { type: 'button' } });
  button.addEventListener('click', onClick);
  nameButton(button, text, filename);
  return button;
}

/** Gives a button of {@link fileButton} another text. */
export function nameButton(button: HTMLButtonElement, text: string, filename: string): void {
  if (button.textContent === text) return;
  button.textContent = text;
  button.setAttribute('aria-label', `${text} ${filename}`);
}

/** Shows or hides an element. The keyboard is not left on what vanishes: `next` gets the focus. */
export function setShown(shown: HTMLElement, isShown: boolean, next?: HTMLElement): void {
  const hadFocus = !isShown && shown.contains(document.activeElement);
  shown.hidden = !isShown;
  if (hadFocus) next?.focus();
}
