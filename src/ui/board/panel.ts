import { byId, element, setText } from './dom.js';

/** What a panel shows. */
export interface PanelView {
  /** What screen readers are told when it changes. */
  readonly news: string;
  readonly content: readonly Node[];
}

/** What a {@link Panel} is made with. */
export interface PanelParts {
  load(): Promise<PanelView>;
  /** Stay as they are whatever is shown, so that the keyboard stays on them. */
  readonly controls: readonly Node[];
}

/** A part of the page that is closed at first, and asks the server only when it is opened. */
export class Panel {
  private readonly details: HTMLDetailsElement;
  /** Screen readers tell of what changes in a region that was there before. */
  private readonly news = element('p', { role: 'status' });
  private readonly content = element('div', { class: 'content' });
  private readonly controls: HTMLElement;

  constructor(
    id: string,
    private readonly parts: PanelParts,
  ) {
    this.details = byId(id, HTMLDetailsElement);
    this.controls = element('div', { class: 'buttons', hidden: true }, ...parts.controls);
    this.details.append(this.news, this.content, this.controls);
    this.details.addEventListener('toggle', () => void this.refresh());
  }

  get isOpen(): boolean {
    return this.details.open;
  }

  /** Shows what there is now, or why it cannot be shown. */
  async refresh(): Promise<void> {
    if (!this.isOpen) return;
    try {
      const { news, content } = await this.parts.load();
      setText(this.news, news);
      this.content.replaceChildren(...content);
      this.controls.hidden = false;
    } catch (error) {
      this.content.replaceChildren(element('p', { class: 'bad', role: 'alert' }, (error as Error).message));
    }
  }
}
