"""The attributes of `nn.Module`, which the compiler does not import.

The heads of a package are methods of such a class: one with the name of an attribute gets a `_`.
"""

MODULE = frozenset(
    """
    add_module apply backbone bfloat16 buffers call_super_init children compile cpu cuda double
    dump_patches eval extend extra_repr float forbidden forward get_buffer get_extra_state
    get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers
    named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
    set_submodule share_memory smart_apply state_dict T_destination to to_empty train training
    trunk type vocab xpu zero_grad
    """.split()
)
