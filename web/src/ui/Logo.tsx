import classes from './ui.module.css';

/** The picture of favicon.svg. Part of the page, for an image of SVG is a document of its own, which takes longer. */
export const Logo = ({ size, className = '' }: { size: number; className?: string }) => (
  <svg className={`${classes.logo} ${className}`} width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="#0f6a8c" />
    <path d="M11 5v13" stroke="#fff" strokeWidth="2.4" strokeLinecap="round" />
    <circle cx="11" cy="22.5" r="4" fill="#fff" />
    <path d="M17 22.5h9M17 16h6.5M17 9.5h4" stroke="#bfe3ee" strokeWidth="2.4" strokeLinecap="round" />
  </svg>
);
