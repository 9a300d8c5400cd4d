import { type ChunkedUploadError, type StoredUpload, uploadKey } from '../../client/index.js';
import { element, fileButton } from './dom.js';
import { ERROR_WORDS, wordsFor } from './error-words.js';
import { formatBytes, formatMoment, formatPercent } from './format.js';
import { inLine } from './state-words.js';
import type { Standing } from './upload-route.js';

/** Standings of uploads that somebody can do something about. */
export type LeftStanding = Exclude<Standing, 'complete' | 'missing'>;

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

  constructor(
    private readonly entry: StoredUpload,
    private readonly standing: LeftStanding,
    private readonly choices: UnfinishedChoices,
  ) {
    const { filename } = entry;
    this.input.addEventListener('change', () => void this.take());
    const isOver = standing === 'expired';
    const choose = fileButton(isOver ? 'Choose the file again' : 'Choose the same file', filename, () =>
      this.input.click(),
    );
    choose.classList.add('primary');
    const discard = fileButton(isOver ? 'Dismiss' : 'Discard', filename, () => void this.discard(discard));
    discard.classList.add('deletes');
    this.asNew = fileButton('Upload as a new file', filename, () => this.uploadWrongFile());
    this.asNew.hidden = true;
    const title = element('h3', { children: [filename] });
    const status = element('p', { props: { className: 'status' }, children: [this.describe()] });
    const about = element('div', { props: { className: 'about' }, children: [title, status] });
    const buttons = element('div', { props: { className: 'buttons' } });
    buttons.append(choose, discard, this.input);
    this.element = element('li', { props: { className: 'row' } });
    this.element.dataset.state = isOver ? 'over' : 'left';
    this.element.append(about, buttons, ...(isOver ? [] : [this.bar()]), this.problem, this.asNew);
    if (isOver)
      this.problem.textContent = `${ERROR_WORDS.expired} Choose the file to send it from the beginning.`;
  }

  private describe(): string {
    const { size, createdAt } = this.entry;
    const whole = size ?? this.offset;
    const sent =
      typeof this.standing === 'number' ? `${formatPercent(this.offset, whole)} sent` : 'Partly sent';
    const begun = `begun ${formatMoment(new Date(createdAt))}`;
    return inLine([this.standing === 'expired' ? 'Expired' : sent, formatBytes(whole), begun]);
  }

  private bar(): HTMLProgressElement {
    const value = this.entry.size ? this.offset / this.entry.size : 0;
    return element('progress', {
      props: { max: 1, value },
      attributes: { 'aria-label': this.entry.filename },
    });
  }

  private get offset(): number {
    return typeof this.standing === 'number' ? this.standing : 0;
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
