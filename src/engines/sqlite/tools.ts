import { isLifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';

/** Programs of a container that can copy a database while it is written, in the order in which they are taken. */
const toolNames = ['sqlite3', 'python3', 'node'] as const;
export type ToolName = (typeof toolNames)[number];

export interface Tool {
  readonly name: ToolName;
  readonly version: string;
}

const script = `cd "\${TMPDIR:-/tmp}" && [ -w . ] || exit 0
sqlite3 -version 2>/dev/null | { read -r version _ && echo "sqlite3 $version"; } && exit
python3 -c 'import sqlite3; sqlite3.Connection.backup; print("python3", sqlite3.sqlite_version)' 2>/dev/null && exit
node -e 'if (!require("node:sqlite").backup) process.exit(1); console.log("node", process.versions.sqlite)' 2>/dev/null
exit 0`;

/** The tool of this container; undefined when it has none, no shell, no room for a copy, or does not run. */
export async function findTool(shell: Shell, signal: AbortSignal): Promise<Tool | undefined> {
  try {
    const [found = '', version = ''] = (await shell.text({ argv: ['sh', '-c', script] }, signal)).trim().split(' ');
    const name = toolNames.find((each) => each === found);
    return name && { name, version };
  } catch (error) {
    if (!isLifeboatError(error, 'TOOL_MISSING', 'SOURCE_NOT_RUNNING')) throw error;
    return undefined;
  }
}
