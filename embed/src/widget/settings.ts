/** What a widget's owner chose, as the server puts it into the script. */
export interface Settings {
  id: string;
  /** The business's number in E.164. */
  phoneNumber: string;
  nameField: boolean;
  /** `#rrggbb`. */
  color: string;
  position: "left" | "right";
  greeting: string;
  consentText: string | null;
}
