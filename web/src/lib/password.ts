/** The server refuses shorter ones. */
export const PASSWORD_MIN = 10;
