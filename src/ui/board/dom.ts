/** What an element is made with: properties, and attributes by their names in HTML. */
export type Properties = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Makes an element. Text is never read as HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: readonly (Node | string | null)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A button that does something, but not while it {@link setBusy is busy}. */
export function button(text: string, work: () => void, properties: Properties = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...properties }, text);
  made.addEventListener('click', () => {
    if (made.ariaDisabled !== 'true') work();
  });
  return made;
}

/** Says that a button does nothing now. Disabled, it would lose the keyboard. */
export function setBusy(busy: HTMLButtonElement, isBusy: boolean): void {
  busy.ariaDisabled = String(isBusy);
}

/** Hides an element, or shows it. A keyboard that was on it goes on with `next`. */
export function setHidden(target: HTMLElement, isHidden: boolean, next: HTMLElement): void {
  const hadFocus = target.contains(document.activeElement);
  target.hidden = isHidden;
  if (isHidden && hadFocus) next.focus();
}

/** An element of the page. @throws Error where the page has none of this id and type. */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}.`);
  return found;
}

/** Writes a text where it is another one, so that nothing is painted or read out for nothing. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
