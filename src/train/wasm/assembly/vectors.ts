/** What fused loops need of a kernel of their own: Gaussian vectors, and products of a few long ones. */
export { normals } from "./normals"
export { clear, combine, copy, dots, scaledTo } from "./thin"
