/**
 * Slack's published limits (docs.slack.dev, Block Kit reference) as a check of its own, that shares nothing
 * with the code that writes the blocks. Slack answers 400 to whatever breaks one of them.
 */
export function complaintsAbout(payload: unknown): readonly string[] {
  const found: string[] = [];
  const complain = (isFine: boolean, what: string) => {
    if (!isFine) found.push(what);
  };
  const text = (value: unknown, longest: number, types: readonly string[], where: string) => {
    const { type, text: content, emoji, verbatim } = fields(value);
    complain(types.includes(String(type)), `${where}: type ${String(type)}`);
    complain(typeof content === 'string' && content.length >= 1, `${where}: no text`);
    complain(String(content).length <= longest, `${where}: ${String(content).length} of ${longest} characters`);
    complain(emoji === undefined || type === 'plain_text', `${where}: emoji is for plain_text`);
    complain(verbatim === undefined || type === 'mrkdwn', `${where}: verbatim is for mrkdwn`);
  };
  const both = ['plain_text', 'mrkdwn'];
  const { text: fallback, blocks } = fields(payload);
  complain(typeof fallback === 'string' && fallback.length >= 1 && fallback.length <= 4000, 'text: empty or too long');
  complain(Array.isArray(blocks) && blocks.length >= 1 && blocks.length <= 50, 'blocks: not 1 to 50');
  for (const [i, block] of list(blocks).entries()) {
    const { type, text: content, fields: cells, elements } = fields(block);
    const where = `block ${i} (${String(type)})`;
    if (type === 'header') text(content, 150, ['plain_text'], where);
    else if (type === 'section') {
      complain(content !== undefined || list(cells).length > 0, `${where}: neither text nor fields`);
      complain(cells === undefined || (list(cells).length >= 1 && list(cells).length <= 10), `${where}: fields`);
      if (content !== undefined) text(content, 3000, both, where);
      for (const cell of list(cells)) text(cell, 2000, both, `${where} field`);
    } else if (type === 'context') {
      complain(list(elements).length >= 1 && list(elements).length <= 10, `${where}: elements`);
      for (const element of list(elements)) text(element, 3000, both, where);
    } else complain(false, `${where}: unknown`);
  }
  complain(JSON.stringify(blocks).length <= 13_200, `blocks: ${JSON.stringify(blocks).length} of 13200 characters`);
  return found;
}

// --- utils ---

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
