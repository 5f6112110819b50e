import { z } from 'zod';

const list = z.array(z.string().min(1));

export const PostgresOptions = z.strictObject({
  user: z.string().min(1).optional().describe('Role to connect as. Default: the one the image was set up with.'),
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
  'tools-image': z
    .string()
    .min(1)
    .optional()
    .describe(
      "Image that has pg_dump, psql and pg_restore of at least the server's version, for images without tools.",
    ),
  port: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Port the server listens on. Default: PGPORT of the container, else 5432.'),
});
export type PostgresOptions = z.infer<typeof PostgresOptions>;
