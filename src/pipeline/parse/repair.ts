/**
 * What was done to a model's text to read it, in words for the response. Each changes notation only; what would need a
 * guess about data is not here, because such an answer is rejected.
 */
export type Repair =
  | "reasoning"
  | "code_fence"
  | "surrounding_text"
  | "other_value"
  | "invisible_characters"
  | "trailing_comma"
  | "missing_comma"
  | "comments"
  | "single_quotes"
  | "typographic_quotes"
  | "unquoted_keys"
  | "python_literals"
  | "control_characters"
  | "escaped_apostrophe"
  | "number_notation"
  | "stray_bracket"
  | "escaped_quotes"
  | "double_encoding";
