/** What a KiB, a MiB and a GiB hold. */

export const bytesPerKiB = 1024;
export const bytesPerMiB = 1024 ** 2;
export const bytesPerGiB = 1024 ** 3;
