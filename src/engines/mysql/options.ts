import { z } from 'zod';

const list = z.array(z.string().min(1));

export const MysqlOptions = z.strictObject({
  user: z
    .string()
    .min(1)
    .optional()
    .describe('Account to connect as. Default: root, else the account the image was set up with.'),
  'password-env': z
    .string()
    .min(1)
    .optional()
    .describe('Name of the variable in that container that holds the password.'),
  'password-file': z
    .string()
    .min(1)
    .optional()
    .describe('Path inside that container of the file that holds the password.'),
  databases: list.default(['*']).describe('Databases to save, as globs.'),
  'exclude-databases': list.default([]).describe('Databases to leave out, as globs.'),
  'exclude-tables': list
    .default([])
    .describe('Tables and views to leave out, as globs on database.table; a restore leaves them as they are.'),
  'non-transactional': z
    .enum(['lock', 'warn', 'fail'])
    .default('warn')
    .describe(
      'What to do about tables that are not transactional (MyISAM, Aria, MEMORY …): `warn` saves each as it is when it is read, `lock` stops all writes of the server while such a database is dumped, `fail` refuses the backup.',
    ),
  'tools-image': z
    .string()
    .min(1)
    .optional()
    .describe('Image that has the dump and client programs of the same product, for images without tools.'),
  port: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Port the server listens on, where it cannot be reached through its socket. Default: 3306.'),
});
export type MysqlOptions = z.infer<typeof MysqlOptions>;
