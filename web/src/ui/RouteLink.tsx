import { Anchor, type AnchorProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type StyledAnchorProps = Omit<AnchorProps, 'href'> &
  Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof AnchorProps> & { ref?: Ref<HTMLAnchorElement> };

const StyledAnchor = (props: StyledAnchorProps) => <Anchor fz="inherit" {...props} />;

/** A link to a page of ours that looks like Mantine's and checks its target. */
export const RouteLink = createLink(StyledAnchor);
