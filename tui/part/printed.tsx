/** Lines as Ink elements: the one place where a tone becomes a colour. Sixteen colours at most, all by name. */
import { memo, type ReactNode } from "react";
import { Box, Text, type TextProps } from "ink";
import { sameLine, type Line, type Tone } from "../../text/line.ts";

const styles: Readonly<Record<Tone, Omit<TextProps, "children">>> = {
  plain: {},
  dim: { dimColor: true },
  strong: { bold: true },
  good: { color: "green" },
  warn: { color: "yellow" },
  bad: { color: "red", bold: true },
  accent: { color: "cyan" },
  title: { bold: true },
  select: { inverse: true },
};

const PrintedLine = memo(
  function PrintedLine({ of }: { readonly of: Line }): ReactNode {
    if (of.length === 0) return <Text> </Text>;
    return (
      <Text wrap="truncate-end">
        {of.map((each, index) => (
          <Text key={index} {...styles[each.tone]}>
            {each.text}
          </Text>
        ))}
      </Text>
    );
  },
  (before, after) => sameLine(before.of, after.of),
);

export function Printed({ lines }: { readonly lines: readonly Line[] }): ReactNode {
  return (
    <Box flexDirection="column">
      {lines.map((each, index) => (
        <PrintedLine key={index} of={each} />
      ))}
    </Box>
  );
}
