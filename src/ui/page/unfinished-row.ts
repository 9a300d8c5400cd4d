import { type ChunkedUploadError, type StoredUpload, uploadKey } from '../../client/index.js';
import { element, fileButton } from './dom.js';
import { wordsFor } from './error-words.js';
import { formatBytes, formatMoment, formatPercent } from './format.js';

/** What somebody may do with an upload that was begun on an earlier visit. */
export interface UnfinishedChoices {
  /** Goes on with it: this is its file. */
  goOn(file: File): void;
  /** Uploads another file, on its own. */
  uploadAsNew(file: File): void;
  /** @throws ChunkedUploadError when the server cannot be told. */
  discard(): Promise<void>;
}

/** An upload of an earlier visit. The page must be given its file once more: browsers keep none for it. */
export class UnfinishedRow {
  readonly element: HTMLLIElement;
  private readonly input = element('input', { props: { type: 'file', hidden: true } });
  private readonly problem = element('p', { props: { className: 'trouble' }, attributes: { role: 'alert' } });
  private readonly asNew: HTMLButtonElement;
  private wrongFile: File | null = null;

  /** @param offset bytes the server has; null when it could not be asked. */
  constructor(
    private readonly entry: StoredUpload,
    private readonly offset: number | null,
    private readonly choices: UnfinishedChoices,
  ) {
    const { filename } = entry;
    this.input.addEventListener('change', () => void this.take());
    const choose = fileButton('Choose the same file', filename, () => this.input.click());
    choose.classList.add('primary');
    const discard = fileButton('Discard', filename, () => void this.discard(discard));
    this.asNew = fileButton('Upload as a new file', filename, () => this.uploadWrongFile());
    this.asNew.hidden = true;
    const title = element('h3', { children: [filename] });
    const status = element('p', { props: { className: 'status' }, children: [this.describe()] });
    const about = element('div', { props: { className: 'about' }, children: [title, status] });
    const buttons = element('div', { props: { className: 'buttons' } });
    buttons.append(this.asNew, choose, discard, this.input);
    this.element = element('li', { props: { className: 'row' } });
    this.element.dataset.state = 'left';
    this.element.append(about, buttons, this.bar(), this.problem);
  }

  private describe(): string {
    const { size, createdAt } = this.entry;
    const whole = size ?? this.offset ?? 0;
    const sent = this.offset === null ? 'Partly sent' : `${formatPercent(this.offset, whole)} sent`;
    return `${sent} · ${formatBytes(whole)} · begun ${formatMoment(new Date(createdAt))}`;
  }

  private bar(): HTMLProgressElement {
    const value = this.offset && this.entry.size ? this.offset / this.entry.size : 0;
    return element('progress', {
      props: { max: 1, value },
      attributes: { 'aria-label': this.entry.filename },
    });
  }

  private async take(): Promise<void> {
    const file = this.input.files?.[0];
    this.input.value = '';
    if (!file) return;
    const { endpoint, filename, key } = this.entry;
    const chosen = await uploadKey(file, { endpoint }).catch(() => null);
    if (chosen === key) return this.choices.goOn(file);
    this.wrongFile = file;
    this.asNew.hidden = false;
    const which = file.name === filename ? 'It has this name, but is' : `“${file.name}” is`;
    this.problem.textContent = `${which} not the file this upload began with. Choose that one, or upload this one as a new file.`;
  }

  private uploadWrongFile(): void {
    if (!this.wrongFile) return;
    this.choices.uploadAsNew(this.wrongFile);
    this.wrongFile = null;
    this.asNew.hidden = true;
    this.problem.textContent = '';
  }

  private async discard(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    await this.choices.discard().catch((error: ChunkedUploadError) => {
      button.disabled = false;
      this.problem.textContent = wordsFor(error);
    });
  }
}
